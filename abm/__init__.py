"""The framework: a month-by-month model of stakeholders, scarce goods and power. It knows no country."""
