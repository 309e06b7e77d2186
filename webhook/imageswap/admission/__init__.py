"""What an admission request becomes: from the objects of Kubernetes to a JSON Patch."""
