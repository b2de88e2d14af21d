"""The pages of the researchers' workspace. None is open to strangers."""
