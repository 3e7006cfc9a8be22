"""Names by ethnic group, and the other forms that one name takes: nicknames and transliterations. Data only.

Lists run from common to rare; people draw from them with falling (Zipf-like) weights.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: group -> (men, women, family names). `english_old`, `english_mid` and `english_young` share family names.
GIVEN_M = {
    "english_old": _words(
        "John David William Peter Robert James Michael George Alan Brian Kenneth Ronald Derek Raymond Dennis Thomas Anthony "
        "Roy Colin Keith Frank Eric Stanley Leslie Norman Arthur Harold Gordon Geoffrey Ernest Albert Frederick Douglas Donald "
        "Trevor Barry Charles Edward Joseph Richard Malcolm Maurice Reginald Bernard Terence Leonard Walter Sidney Cyril Percy"
    ),
    "english_mid": _words(
        "David Paul Andrew Mark Stephen John Michael Ian Robert Richard Christopher Peter Simon Anthony Kevin Steven Gary "
        "James Jonathan Martin Nigel Neil Philip Graham Jason Darren Lee Stuart Matthew Daniel Nicholas Adrian Craig Wayne "
        "Carl Dean Sean Timothy Shaun Colin Russell Karl Glenn Gareth Dominic Julian Howard Clive Marcus Justin Duncan"
    ),
    "english_young": _words(
        "Oliver Jack Harry Thomas George James Joshua William Daniel Charlie Jacob Samuel Luke Ryan Connor Alexander Benjamin "
        "Lewis Matthew Liam Callum Adam Jake Nathan Ethan Tyler Kieran Noah Leo Oscar Archie Alfie Henry Theo Freddie Arthur "
        "Isaac Edward Max Logan Finley Harrison Toby Joseph Jude Rory Elliot Reuben Hugo Felix Stanley Bobby Louis Caleb Dylan"
    ),
    "irish": _words(
        "Patrick Sean Michael John Liam Brendan Declan Kevin Eamon Conor Seamus Kieran Aidan Niall Dermot Donal Brian Cormac "
        "Ciaran Fergus Padraig Eoin Cathal Rory Oisin Thomas Daniel Martin Gerard Noel"
    ),
    "polish": _words(
        "Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Marcin Grzegorz Jakub Adam Łukasz Zbigniew Marek Kamil Mateusz "
        "Dariusz Wojciech Mariusz Rafał Robert Szymon Filip Kacper Bartosz Stanisław Sebastian Dawid Przemysław Sławomir"
    ),
    "romanian": _words(
        "Andrei Alexandru Mihai Ion Gheorghe Constantin Florin Ionuț Cristian Daniel Marian Vasile Nicolae Adrian Gabriel "
        "Bogdan Ștefan Marius Sorin Dumitru Viorel Cătălin Răzvan Vlad Radu"
    ),
    "south_asian_muslim": _words(
        "Mohammed Ahmed Ali Hassan Imran Usman Bilal Omar Hamza Ibrahim Yusuf Tariq Asif Khalid Shahid Zubair Abdul Rashid "
        "Nadeem Faisal Kamran Adnan Haroon Ismail Junaid Salman Sajid Waqar Aamir Iqbal Mahmud Rahim Karim Shafiq Jamal"
    ),
    "indian": _words(
        "Raj Sanjay Amit Harpreet Gurpreet Rajesh Suresh Vijay Anil Ravi Manjit Jaspal Kiran Deepak Arjun Rohan Nikhil "
        "Balwinder Sunil Ashok Dinesh Mukesh Hardeep Sukhdev Jagdish Kamal Vikram Aarav Dev Ishan Pradeep Ramesh Mohan "
        "Krishnan Bhavesh"
    ),
    "arabic": _words(
        "Mohamed Ahmed Mahmoud Mustafa Omar Khaled Hassan Hussein Youssef Ali Karim Samir Walid Tarek Abdullah Ibrahim Nasser "
        "Rami Bassam Fadi Ziad Anwar Jamal Marwan Salah"
    ),
    "west_african": _words(
        "Emmanuel Samuel Oluwaseun Chinedu Kwame Babatunde Adewale Ifeanyi Kofi Emeka Kwabena Daniel Joseph Michael Olumide "
        "Tunde Kwasi Yaw Chukwuemeka Ayodele Femi Kelechi Obinna Segun Ebenezer"
    ),
    "somali": _words(
        "Mohamed Abdi Ahmed Hassan Ali Abdirahman Yusuf Ibrahim Omar Abdullahi Ismail Mohamud Farah Said Mahad Liban Warsame "
        "Bashir"
    ),
    "chinese": _words(
        "Wei Ming Jun Jian Hao Lei Feng Chun Kin Wai Siu Tao Bo Qiang Yong Gang Kai Yu Zhen Xin Peng Chi Man Ho Yiu"
    ),
    "caribbean": _words(
        "Winston Anthony Devon Leroy Trevor Errol Delroy Clive Lloyd Carlton Desmond Neville Marcus Jermaine Tyrone Andre "
        "Dwayne Michael Jerome Kyle Malachi Isaiah Elijah Joshua Jordan Reece Curtis Nathaniel"
    ),
    "tigrinya": _words(
        "Samuel Yonas Tesfay Filmon Dawit Abel Berhane Kidane Mehari Robel Amanuel Haile Mulugeta Isaias Tekle Bereket Henok"
    ),
}
GIVEN_F = {
    "english_old": _words(
        "Margaret Jean Mary Patricia Joan Sheila Barbara Doreen Shirley Dorothy June Joyce Maureen Elizabeth Ann Audrey Brenda "
        "Kathleen Sylvia Eileen Pamela Betty Beryl Jacqueline Marjorie Edna Vera Irene Hilda Rita Doris Winifred Gladys Ethel "
        "Phyllis Olive Edith Iris Janet Christine Judith Gillian Valerie Wendy Marion Rosemary Norma Mavis Muriel Freda"
    ),
    "english_mid": _words(
        "Susan Karen Julie Jacqueline Deborah Tracey Jane Helen Diane Sharon Nicola Sarah Alison Caroline Amanda Lisa Michelle "
        "Joanne Elizabeth Claire Samantha Angela Louise Wendy Lorraine Paula Dawn Maria Catherine Linda Beverley Emma Rachel "
        "Donna Kerry Rebecca Victoria Melanie Teresa Heather Kelly Lesley Denise Sandra Fiona Tina Andrea Katherine Ruth Anne"
    ),
    "english_young": _words(
        "Emily Chloe Olivia Sophie Jessica Amelia Lauren Charlotte Megan Hannah Grace Ella Lucy Georgia Bethany Amy Mia "
        "Isabella Lily Ruby Poppy Holly Abigail Eleanor Molly Katie Ellie Freya Evie Florence Isla Ava Daisy Alice Matilda "
        "Rosie Phoebe Millie Erin Jasmine Caitlin Zoe Imogen Harriet Scarlett Willow Elsie Ivy Maisie Leah Niamh Martha "
        "Beatrice"
    ),
    "irish": _words(
        "Mary Bridget Kathleen Siobhan Aoife Niamh Margaret Eileen Nora Ciara Sinead Orla Roisin Deirdre Maeve Grainne Aisling "
        "Catherine Teresa Fionnuala Clodagh Una Breda Noreen Sheila Caoimhe"
    ),
    "polish": _words(
        "Anna Katarzyna Maria Małgorzata Agnieszka Barbara Ewa Krystyna Magdalena Elżbieta Joanna Aleksandra Zofia Monika "
        "Teresa Danuta Natalia Karolina Marta Beata Dorota Julia Alicja Zuzanna Paulina Grażyna Halina Wiktoria Justyna"
    ),
    "romanian": _words(
        "Maria Elena Ana Ioana Mihaela Andreea Cristina Alina Daniela Gabriela Alexandra Florentina Roxana Simona Georgiana "
        "Raluca Mădălina Nicoleta Adriana Carmen Larisa Bianca Iuliana"
    ),
    "south_asian_muslim": _words(
        "Fatima Aisha Nasreen Shazia Rukhsana Samina Zainab Maryam Khadija Saima Parveen Amina Bushra Farzana Nazia Rehana "
        "Sadia Hina Sumaiya Tahmina Shabana Yasmin Ayesha Rabia Naila Salma Halima Begum Rahima Nusrat"
    ),
    "indian": _words(
        "Priya Sunita Manjit Harjit Anita Kavita Meena Rekha Neha Pooja Jaswinder Kulwinder Sarita Nisha Anjali Deepa Lakshmi "
        "Asha Kamaljit Ranjit Divya Shreya Usha Geeta Radha Aisha Gurpreet Simran Bhavna Hansa Jyoti Mina"
    ),
    "arabic": _words(
        "Fatima Mariam Amina Zahra Layla Noor Hanan Huda Samira Rania Nadia Salma Yasmin Iman Khadija Dina Amal Rasha Reem "
        "Sara Lina Farida Wafa"
    ),
    "west_african": _words(
        "Grace Blessing Ngozi Abena Oluwakemi Chioma Folake Comfort Mercy Ama Akosua Esther Adaeze Funmilayo Yetunde Ifeoma "
        "Patience Ruth Joy Nkechi Afia Bukola Sade Temitope Amaka"
    ),
    "somali": _words(
        "Fadumo Amina Hodan Sahra Halimo Khadija Maryan Ayaan Ifrah Asha Hibo Nasra Sagal Faiza Hawa Deqa Zamzam Idil Safia"
    ),
    "chinese": _words("Li Mei Xiu Ying Fang Yan Hui Jing Ling Xia Min Na Wai Sau Yuk Lan Hong Yun Qian Shan Ting Wing Ka Yee"),
    "caribbean": _words(
        "Beverley Sonia Marcia Yvonne Claudette Jennifer Sandra Gloria Norma Hyacinth Merle Pauline Shanice Keisha Natasha "
        "Jade Tanisha Chantelle Leanne Monique Ebony Naomi Simone Danielle Kezia Aaliyah"
    ),
    "tigrinya": _words("Selam Senait Miriam Helen Luwam Rahwa Feven Semhar Bethlehem Saba Almaz Tsehay Winta Hiwot Meron Ruta"),
}
FAMILY = {
    "english": _words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green "
        "Hall Wood Jackson Clarke Harris Clark Turner Hill Cooper Ward Moore Morris King Watson Baker Harrison Morgan Patel "
        "Allen Martin James Scott Phillips Davis Lee Price Parker Bennett Young Griffiths Kelly Simpson Cook Collins Cox Shaw "
        "Bell Richardson Marshall Miller Webb Mills Chapman Rogers Palmer Hunt Stevens Barnes Knight Lloyd Butler Russell "
        "Fisher Barker Holmes Pearson Matthews Fletcher Mason Gibson Andrews Ford Harvey Powell Dixon Saunders Hughes Edwards "
        "Foster Graham Lawrence Gray Carter Adams Campbell Mitchell Anderson Ellis Reynolds Wells West Jenkins Hayes Burton "
        "Cole Day Fox Grant Hart Hudson Hopkins Lane Newman Nicholls Osborne Page Payne Perry Porter Pritchard Reed Rose "
        "Spencer Stone Walsh Watts Webster Wheeler Woods Atkinson Armstrong Austin Barrett Bates Berry Bishop Black Booth "
        "Bradley Brooks Bryant Burgess Burns Byrne Carr Chambers Coleman Crawford Cunningham Dawson Dean Douglas Duncan "
        "Elliott Ferguson Field Fuller Gardner George Gilbert Goodwin Gregory Griffin Hamilton Harding Harper Hawkins "
        "Henderson Hicks Howard Howe Hunter Hutchinson Jennings Johnston Jordan Kay Kennedy Kerr Lambert Lawson Little Long "
        "Lowe Marsh May McCarthy Middleton Moss Murray Nelson Newton Norman Oliver Parsons Pearce Peters Poole Read Rees "
        "Rhodes Riley Ross Rowe Ryan Sanders Sharp Shepherd Short Simmons Skinner Slater Snow Stephens Stewart Sutton Swift "
        "Tucker Tyler Vaughan Wade Wallis Warner Warren Waters Weaver Welch Whitehead Wilkins Wilkinson Willis Winter Wyatt "
        "Yates"
    ),
    "irish": _words(
        "Murphy O'Brien Kelly Byrne Ryan O'Sullivan Walsh O'Connor McCarthy Doyle Gallagher Doherty Kennedy Lynch Murray Quinn "
        "Moore O'Neill McLoughlin Carroll Connolly Daly Connell Dunne Brennan Burke Collins Campbell Clarke Johnston Hughes "
        "Farrell Fitzgerald Brown Martin Maguire Nolan Flynn Keane O'Callaghan O'Donnell Duffy"
    ),
    "polish": _words(
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski "
        "Jankowski Mazur Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Michalski Król Wieczorek "
        "Jabłoński Wróbel Majewski Olszewski Stępień Malinowski"
    ),
    "romanian": _words(
        "Popescu Ionescu Popa Pop Radu Dumitru Stan Stoica Gheorghe Rusu Munteanu Matei Marin Ciobanu Lazăr Dinu Moldovan "
        "Florea Dobre Barbu Nistor Șerban Iordache Cojocaru Ungureanu"
    ),
    "south_asian_muslim": _words(
        "Khan Ahmed Hussain Ali Begum Akhtar Mahmood Rahman Uddin Miah Malik Iqbal Shah Bibi Chowdhury Islam Hossain Choudhury "
        "Mohammed Aslam Rashid Mirza Qureshi Butt Sheikh Siddiqui Khatun Alam Haque Raja Nawaz Yousaf Anwar Akram Saleem"
    ),
    "indian": _words(
        "Patel Singh Kaur Shah Sharma Kumar Gill Desai Mehta Joshi Dhillon Sandhu Gupta Reddy Nair Rao Mistry Chauhan Parmar "
        "Bains Verma Iyer Thomas Varghese Menon Solanki Rathod Sidhu Grewal Bhatt Chopra Kapoor Malhotra Fernandes Pillai"
    ),
    "arabic": _words(
        "Hassan Ibrahim Al-Hassan Mansour Saleh Haddad Khalil Hamdan Nasser Al-Khatib Abdallah Farah Aziz Mahmoud Hussein Said "
        "Osman Bakri Darwish Al-Masri Najjar Sabbagh Karimi Rahimi Ahmadi Hosseini"
    ),
    "west_african": _words(
        "Mensah Adeyemi Okafor Owusu Adebayo Boateng Okoye Asante Eze Ogunleye Agyeman Nwosu Appiah Osei Balogun Addo Afolabi "
        "Okeke Danso Amoah Oyelaran Sowah Ojo Ibe Bello Conteh Sesay Kamara Bangura Koroma Diallo"
    ),
    "somali": _words(
        "Mohamed Ali Ahmed Hassan Abdi Omar Ibrahim Yusuf Farah Warsame Hussein Jama Osman Nur Abdullahi Aden Elmi Dirie"
    ),
    "chinese": _words(
        "Chen Wong Li Zhang Chan Wang Liu Lee Cheung Lam Lin Ng Yang Huang Tang Ho Leung Zhou Wu Zhao Xu Yip Chow Lau Ma"
    ),
    "caribbean": _words(
        "Campbell Brown Williams Clarke Grant Francis Gordon Lewis Reid Morgan Thompson Henry Bailey Charles Joseph Edwards "
        "Alexander Thomas Powell Robinson Stewart Johnson Wright Daley Pinnock Gayle Blake Samuels Simpson Baptiste Pierre"
    ),
    "tigrinya": _words(
        "Tesfay Haile Gebre Kidane Tekle Mehari Berhane Weldu Habte Yohannes Ghebremariam Tesfamariam Woldemichael Abraha"
    ),
}

#: ethnic category -> name groups and how likely each is.
GROUPS_BY_ETHNICITY: dict[str, dict[str, float]] = {
    "A": {"english": 0.97, "irish": 0.03},
    "B": {"irish": 1.0},
    "C": {"polish": 0.45, "romanian": 0.4, "english": 0.15},
    "D": {"english": 0.5, "caribbean": 0.5},
    "E": {"english": 0.5, "west_african": 0.5},
    "F": {"english": 0.5, "indian": 0.3, "south_asian_muslim": 0.2},
    "G": {"english": 0.6, "arabic": 0.2, "polish": 0.2},
    "H": {"indian": 0.9, "south_asian_muslim": 0.1},
    "J": {"south_asian_muslim": 1.0},
    "K": {"south_asian_muslim": 1.0},
    "L": {"indian": 0.5, "south_asian_muslim": 0.3, "chinese": 0.2},
    "M": {"caribbean": 1.0},
    "N": {"west_african": 0.65, "somali": 0.25, "tigrinya": 0.1},
    "P": {"caribbean": 0.5, "somali": 0.5},
    "R": {"chinese": 1.0},
    "S": {"arabic": 0.8, "tigrinya": 0.2},
}

#: Preferred language of people who need one besides English, by name group (ISO 639-1).
LANGUAGES = {
    "polish": "pl",
    "romanian": "ro",
    "south_asian_muslim": "ur",
    "indian": "pa",
    "arabic": "ar",
    "somali": "so",
    "chinese": "zh",
    "tigrinya": "ti",
    "west_african": "fr",
}

#: Given name -> what friends, and some clerks, write instead.
NICKNAMES: dict[str, list[str]] = {
    name: forms.split()
    for name, forms in {
        "Abigail": "Abi Abbie", "Alan": "Al", "Albert": "Bert Bertie", "Alexander": "Alex Sandy", "Alexandra": "Alex Sandra",
        "Aleksandra": "Ola Alex", "Alexandru": "Alex", "Alison": "Ali", "Amanda": "Mandy", "Andrew": "Andy Drew",
        "Andrzej": "Andrew", "Angela": "Angie", "Anthony": "Tony", "Arthur": "Art", "Barbara": "Babs", "Benjamin": "Ben",
        "Bernard": "Bernie", "Bethany": "Beth", "Beverley": "Bev", "Bridget": "Bridie Biddy", "Catherine": "Cathy Kate",
        "Charles": "Charlie Chuck", "Charlotte": "Charlie Lottie", "Christine": "Chris Chrissie", "Christopher": "Chris Kit",
        "Cristian": "Cris", "Daniel": "Dan Danny", "David": "Dave Davey", "Deborah": "Debbie Deb", "Dennis": "Den",
        "Derek": "Del", "Donald": "Don", "Dorothy": "Dot Dottie", "Douglas": "Doug", "Edward": "Ted Eddie Ed",
        "Eleanor": "Ellie Nell", "Elizabeth": "Liz Beth Betty", "Emmanuel": "Manny", "Florence": "Flo",
        "Frederick": "Fred Freddie", "Geoffrey": "Geoff", "George": "Georgie", "Gerard": "Gerry", "Gillian": "Gill",
        "Grzegorz": "Greg", "Harold": "Harry", "Harriet": "Hattie", "Henry": "Harry", "Irene": "Rene",
        "Isabella": "Bella Izzy", "Jacob": "Jake", "Jacqueline": "Jackie", "Jakub": "Kuba", "James": "Jim Jimmy Jamie",
        "Janet": "Jan", "Jennifer": "Jenny Jen", "Jessica": "Jess", "Joan": "Joanie", "Joanne": "Jo", "Joanna": "Asia Jo",
        "John": "Jack Johnny", "Jonathan": "Jon", "Joseph": "Joe", "Joshua": "Josh", "Judith": "Judy",
        "Katarzyna": "Kasia Kate", "Katherine": "Kathy Kate Katie", "Kathleen": "Kath Kathy", "Kenneth": "Ken Kenny",
        "Krzysztof": "Chris Krzys", "Lawrence": "Larry", "Leonard": "Len", "Leslie": "Les", "Lucy": "Lu",
        "Magdalena": "Magda", "Malcolm": "Mal", "Margaret": "Maggie Peggy Meg", "Małgorzata": "Gosia", "Martin": "Marty",
        "Mary": "Molly May", "Matilda": "Tilly", "Matthew": "Matt", "Maureen": "Mo", "Megan": "Meg", "Melanie": "Mel",
        "Michael": "Mike Mick", "Michelle": "Shell", "Michał": "Mike", "Mohammed": "Mo", "Nathaniel": "Nathan Nat",
        "Nicholas": "Nick Nicky", "Nicola": "Nicky", "Oliver": "Olly", "Oluwaseun": "Seun", "Oluwakemi": "Kemi",
        "Olivia": "Liv", "Pamela": "Pam", "Patricia": "Pat Trish", "Patrick": "Paddy Pat", "Peter": "Pete", "Philip": "Phil",
        "Piotr": "Peter", "Raymond": "Ray", "Rebecca": "Becky Becca", "Reginald": "Reg", "Richard": "Rick Dick Richie",
        "Robert": "Bob Rob Bobby", "Ronald": "Ron", "Rosemary": "Rose", "Russell": "Russ", "Samantha": "Sam", "Samuel": "Sam",
        "Sandra": "Sandy", "Sidney": "Sid", "Simon": "Si", "Stanley": "Stan", "Stephen": "Steve", "Steven": "Steve",
        "Susan": "Sue Susie", "Sylvia": "Syl", "Terence": "Terry", "Teresa": "Terri Tess", "Thomas": "Tom Tommy",
        "Timothy": "Tim", "Tomasz": "Tom Tomek", "Trevor": "Trev", "Valerie": "Val", "Victoria": "Vicky", "Walter": "Wally",
        "William": "Bill Will Billy", "Winifred": "Winnie", "Zachary": "Zac", "Funmilayo": "Funmi", "Babatunde": "Tunde",
        "Chukwuemeka": "Emeka", "Abdirahman": "Abdi", "Manjit": "Manny", "Gurpreet": "Gurp", "Florentina": "Flori",
    }.items()
}  # fmt: skip

#: Name -> other spellings of the same name in Latin letters, with the diacritics lost among them.
TRANSLITERATIONS: dict[str, list[str]] = {
    name: forms.split()
    for name, forms in {
        "Mohammed": "Muhammad Mohamed Mohammad Mohamad", "Mohamed": "Mohammed Muhammad Maxamed", "Ahmed": "Ahmad Ahmet Axmed",
        "Hussain": "Hussein Husain Hossain", "Hussein": "Hussain Husein", "Hassan": "Hasan Xasan", "Ali": "Aly Cali",
        "Omar": "Umar Omer", "Yusuf": "Yousuf Youssef Yusef", "Youssef": "Yusuf Yousef", "Ibrahim": "Ebrahim Ibraheem",
        "Mahmoud": "Mahmud Mahmood", "Mahmood": "Mahmud Mehmood", "Mahmud": "Mahmood", "Khalid": "Khaled", "Khaled": "Khalid",
        "Tariq": "Tarek Tarik", "Tarek": "Tariq", "Fatima": "Fatema Fatma Faduma", "Fadumo": "Faduma Fatima",
        "Aisha": "Ayesha Aysha Asha", "Ayesha": "Aisha", "Khadija": "Khadija Khadijah Kadija", "Maryam": "Mariam Miriam",
        "Mariam": "Maryam", "Zainab": "Zaynab Zeinab", "Amina": "Aminah Ameena", "Nasreen": "Nasrin", "Yasmin": "Yasmeen",
        "Usman": "Osman Uthman", "Osman": "Usman", "Rahman": "Rehman", "Chowdhury": "Choudhury Chaudhry",
        "Choudhury": "Chowdhury", "Uddin": "Udin", "Miah": "Mia", "Qureshi": "Koreshi Qurashi", "Sheikh": "Shaikh",
        "Siddiqui": "Siddique", "Begum": "Begam", "Akhtar": "Akter", "Iqbal": "Ikbal", "Hamza": "Hamzah",
        "Abdirahman": "Abdulrahman Cabdiraxmaan", "Abdullahi": "Abdulahi Abdullah", "Farah": "Faarax", "Warsame": "Warsama",
        "Abdi": "Cabdi", "Al-Hassan": "Alhassan El-Hassan", "Al-Khatib": "Alkhatib Khatib", "Al-Masri": "Almasri Masri",
        "Haddad": "Hadad", "Hosseini": "Husseini Hoseini", "Łukasz": "Lukasz", "Paweł": "Pawel", "Michał": "Michal",
        "Rafał": "Rafal", "Stanisław": "Stanislaw", "Przemysław": "Przemyslaw", "Sławomir": "Slawomir",
        "Małgorzata": "Malgorzata", "Elżbieta": "Elzbieta", "Grażyna": "Grazyna", "Wiśniewski": "Wisniewski",
        "Wójcik": "Wojcik", "Kamiński": "Kaminski", "Zieliński": "Zielinski", "Szymański": "Szymanski", "Woźniak": "Wozniak",
        "Dąbrowski": "Dabrowski", "Kozłowski": "Kozlowski", "Zając": "Zajac", "Pawłowski": "Pawlowski", "Król": "Krol",
        "Jabłoński": "Jablonski", "Wróbel": "Wrobel", "Stępień": "Stepien", "Ionuț": "Ionut", "Ștefan": "Stefan",
        "Cătălin": "Catalin", "Răzvan": "Razvan", "Mădălina": "Madalina", "Lazăr": "Lazar", "Șerban": "Serban",
        "Chen": "Chan", "Wang": "Wong", "Wong": "Wang Huang", "Zhang": "Cheung Chang", "Li": "Lee", "Liu": "Lau",
        "Gurpreet": "Gurprit", "Harpreet": "Harprit", "Krishnan": "Krishna", "Siobhan": "Siobhán Shivaun",
        "Sean": "Seán Shaun", "Niamh": "Neve", "Aoife": "Eefa", "O'Brien": "OBrien O'Brian", "O'Sullivan": "OSullivan",
        "O'Connor": "OConnor Connor", "O'Neill": "ONeill O'Neil", "Catherine": "Katherine Kathryn", "Stephen": "Steven",
        "Steven": "Stephen", "Ann": "Anne", "Anne": "Ann", "Clarke": "Clark", "Clark": "Clarke", "Thompson": "Thomson",
        "Philip": "Phillip", "Geoffrey": "Jeffrey", "Lesley": "Leslie", "Tesfay": "Tesfai", "Yohannes": "Johannes Yohanes",
        "Ghebremariam": "Gebremariam", "Mensah": "Menser", "Oluwaseun": "Seun", "Nicholas": "Nicolas",
    }.items()
}  # fmt: skip
