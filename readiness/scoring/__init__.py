"""What several dimensions read replies with."""
