"""print in the place of return."""


# misconception: what is printed is returned
# fails: finds
def find_image_by_name(db, name):
    file = open(db)
    for line in file:
        fields = line.split("|")
        if fields[0] == name:
            print(fields[1])
