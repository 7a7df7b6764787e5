package minijson

// Constructors of errors, to count what they cost.
var (
	NewEncodingError = encodingError
	NewDecodingError = decodingError
)
