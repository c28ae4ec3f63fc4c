"""The client side: the harness plays the server and judges what a client sends, hands over and raises."""
