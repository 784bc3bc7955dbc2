"""Alerts: rules about the recorder and the market, and the messages that they send."""
