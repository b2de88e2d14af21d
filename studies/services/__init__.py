"""Every write, each as one keyword-only function in one transaction."""
