"""Sending what ended in a fault, or never began, through the workflow again."""
