// SPDX-License-Identifier: Apache-2.0

//go:build programs

// Package programs names the published programs that are built from this module, so that go.sum holds their checksums.
package programs

import (
	_ "github.com/google/go-sev-guest/tools/check"
	_ "github.com/google/go-sev-guest/tools/show"
)
