"""The inbox's pages: access, one call, render. No view calls WeChat."""
