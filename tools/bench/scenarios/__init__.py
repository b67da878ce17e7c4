"""What no table of rates can say: each module is one scenario, a function of the stage that returns findings."""
