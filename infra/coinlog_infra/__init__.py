"""The AWS stack of coinlog as code, and the commands that deploy it."""
