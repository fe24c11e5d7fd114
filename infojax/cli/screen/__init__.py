"""What every command shares of the screen: how it ends, and how far its work is."""
