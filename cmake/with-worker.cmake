target_compile_definitions(conform-worker PRIVATE CF_VERSION="${PROJECT_VERSION}")
