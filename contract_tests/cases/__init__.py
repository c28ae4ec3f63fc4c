"""What to send, for either side: requests, responses, deliveries, and what goes wrong on a network."""
