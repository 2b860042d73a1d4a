# For a Makefile: include conform.mk; `make conform` gates. OLD and NEW are the sides of an upgrade, if there is one.
CONFORM ?= conform

.PHONY: conform
conform:
	$(CONFORM) verify
	$(if $(NEW),$(CONFORM) gate --require-clean --old '$(OLD)' --new '$(NEW)' --level statistical $(if $(WAIVERS),--waivers '$(WAIVERS)'))
