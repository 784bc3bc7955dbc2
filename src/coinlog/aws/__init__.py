"""The functions of AWS Lambda, and the step that prepares the database there.

Each is a module whose ``handler`` only parses, calls and reports.
"""
