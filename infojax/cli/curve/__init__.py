"""`infojax curve`: scaling-law curves of the test error under data selection."""
