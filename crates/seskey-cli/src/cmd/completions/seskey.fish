# Completions of seskey for fish. Words that it has nothing for are completed as file names.
function __seskey_complete
    set --local word (commandline --current-token --cut-at-cursor)
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    set --local candidates (command seskey completions fish -- $words "$word" 2>/dev/null)
    if set --query candidates[1]
        printf '%s\n' $candidates
    else
        __fish_complete_path "$word"
    end
end
complete --command seskey --no-files --keep-order --arguments '(__seskey_complete)'
