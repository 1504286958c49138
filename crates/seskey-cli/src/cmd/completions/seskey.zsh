#compdef seskey
# Completions of seskey for zsh. Words that it has nothing for are completed as file names.
_seskey() {
    local -a candidates
    candidates=("${(@f)$(command seskey completions zsh -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    if [[ -n $candidates ]]; then
        _describe -V values candidates
    else
        _files
    fi
}
# called by the completion system, or read by a startup file
if [[ $funcstack[1] == _seskey ]]; then _seskey "$@"; else compdef _seskey seskey; fi
