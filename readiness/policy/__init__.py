"""The policy: requirements, waivers, and the plan of what is sent."""
