package wsclient

// NetDial makes the default DialContext.
var NetDial = netDial
