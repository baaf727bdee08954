"""What happens to the answers when the inputs are disturbed, by chance or on purpose."""
