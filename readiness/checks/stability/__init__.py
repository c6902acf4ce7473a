"""The dimension `stability`: aborts, hangs, soaks and restarts."""
