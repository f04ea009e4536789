"""Views of the inbox: check access, call one function, render. No view calls WeChat."""
