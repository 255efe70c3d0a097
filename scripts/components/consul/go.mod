module shop/consul

go 1.22

exclude (
	github.com/hashicorp/go-msgpack v1.1.5
	github.com/hashicorp/go-msgpack v1.1.6
)

require github.com/hashicorp/consul v1.20.1
