"""Lines to meters as they are: slow, echoing, noisy, cut; on virtual time, and on ports of this machine."""
