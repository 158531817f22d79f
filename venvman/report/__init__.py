"""Results as text and JSON: for each verb a module with its data and its drawing."""
