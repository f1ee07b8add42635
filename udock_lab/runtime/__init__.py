"""What mdock does. The launch path (steps, launch, supervise, launcher) uses the standard library only."""
