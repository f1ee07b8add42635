"""What mdock does. The launch path (launch, forker, launcher, supervisor) uses the standard library only."""
