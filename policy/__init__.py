"""What every resource of a stack must be, as policies that Pulumi's engine enforces."""
