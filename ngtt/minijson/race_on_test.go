//go:build race

package minijson_test

const raceEnabled = true
