"""The kinds of stakeholders and their rules. Which of them exist is the world's cast."""
