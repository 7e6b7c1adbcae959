"""What a stack costs in a month, from its graph, a number of photos and a dated table of prices."""
