"""Where bases come from, whatever they are bases of: a folder, the hub, and what this machine keeps of them."""
