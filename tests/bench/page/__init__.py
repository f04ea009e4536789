"""What a page in a browser does over the network, without drawing anything."""
