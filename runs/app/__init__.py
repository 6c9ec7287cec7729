"""The browser app: `madang ui`."""
