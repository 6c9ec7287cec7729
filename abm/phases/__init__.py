"""The phases of a month that are nobody's decision: rules of nature, engineering and accounting."""
