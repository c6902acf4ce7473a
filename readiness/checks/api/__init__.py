"""The protocol: existing SDKs work unchanged, on the wire and in the SDK's own eyes."""
