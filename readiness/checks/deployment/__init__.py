"""The dimension `deployment`: whether the settings around the endpoint are right, and run."""
