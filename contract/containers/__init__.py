"""What is pixels in a photo's file and what is not: one module a format whose metadata could refuse a whole photo."""
