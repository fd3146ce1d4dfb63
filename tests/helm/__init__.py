"""The Helm chart, rendered by Helm's own code and judged by the schemas of Kubernetes and of the custom resources."""
