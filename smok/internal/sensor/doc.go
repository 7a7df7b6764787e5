// Package sensor has what sensors are made of: the canonical form of their names, their types, and the conversion of
// values between a sensor and its pathpoint.
package sensor
