"""Side room: arrays in, picture out."""
