package config

// OpenTo is what the modes of files are judged by.
var OpenTo = openTo
