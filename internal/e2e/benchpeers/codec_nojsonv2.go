//go:build !goexperiment.jsonv2

package main

var jsonV2 []codec
