"""From the bytes of an exchange to a reply, and how an endpoint wants to be asked."""
