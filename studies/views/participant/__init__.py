"""The pages of a participant.

The server holds the cursor: whatever page is asked for, somebody is led to where they are,
so a reload, the back button or a second submission neither skips nor repeats anything.
"""
