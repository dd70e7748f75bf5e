// The columns of Go's context: nanoseconds to open a scope and to close it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const turns = 50_000

func nested(parent context.Context, deep int) {
	child, cancel := context.WithTimeout(parent, time.Duration(deep)*time.Hour)
	if deep > 1 {
		nested(child, deep-1)
	}
	cancel()
}

func main() {
	root, end := context.WithCancel(context.Background())
	defer end()
	begin := time.Now()
	for i := 0; i < turns; i++ {
		switch os.Args[1] {
		case "timeout":
			nested(root, 1)
		case "timeouts":
			nested(root, 10)
		case "cancel":
			_, cancel := context.WithCancel(root)
			cancel()
		default:
			panic(os.Args[1])
		}
	}
	fmt.Println(float64(time.Since(begin).Nanoseconds()) / turns)
}
