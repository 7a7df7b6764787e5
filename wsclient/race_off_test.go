//go:build !race

package wsclient_test

const racing = false
