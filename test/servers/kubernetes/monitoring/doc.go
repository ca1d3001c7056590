// Package monitoring pins the types of the Prometheus operator, and the program that makes the definitions of its resources
// from them: the operator makes its own in the same way.
package monitoring

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1" // controller-gen reads it
