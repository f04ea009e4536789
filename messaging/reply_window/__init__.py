"""What limits a reply: the route, the reply window, the reply quota and WeChat's pace."""
