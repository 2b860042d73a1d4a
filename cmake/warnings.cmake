# -ffp-contract=off: harness and reference mean what they write; a kernel that wants fma() says so.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                    -Wwrite-strings -ffp-contract=off -fno-fast-math)
add_compile_definitions(_GNU_SOURCE)
if(CF_WERROR)
  add_compile_options(-Werror)
endif()
if(CF_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
