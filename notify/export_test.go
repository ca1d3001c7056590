package notify

// Dotted lets a fuzz target compare what goes over the line with the standard library's.
var Dotted = dotted
