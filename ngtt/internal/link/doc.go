// Package link is one connection of NGTT: frames both ways, transaction ids, keepalive, and the proof that the hub has
// read what was sent. It does not come back by itself and knows nothing of orders.
package link
