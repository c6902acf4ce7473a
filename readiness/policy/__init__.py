"""What is required and what is waived, and so what is going to be sent."""
